### Core messages: Chinese, simplified script (zh-Hans).
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when = 在{ $by }前
unit-name =
    { $unit ->
        [lb] 磅
        [kg] 公斤
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] 已通知{ $who }，会{ by-when }阅读这条消息。
       *[no] 我们的工作人员在{ $opens }前可能看不到您的消息。
    }
crisis-person-discreet =
    { $staffed ->
        [yes] 已通知一位工作人员。
       *[no] 在{ $opens }前可能没有人看到您的消息。
    }

## Crisis

crisis-medical = 谢谢您告诉我们。请现在就拨打{ $emergency }，或请别人帮您拨打。这是自动消息。{ crisis-person }您可以继续在这里写。
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = 谢谢您愿意告诉我们。如果您现在有危险，请拨打{ $emergency }。您随时可以拨打{ $lifeline }，和人谈一谈；说"Mandarin"或"Cantonese"就会有口译。这是自动消息。{ crisis-person }您可以继续在这里写。
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = 收到您的消息。如果您现在需要帮助，请拨打{ $emergency }。这是自动消息。{ crisis-person-discreet }您可以继续在这里写。
urgent-received = 谢谢您告诉我们。工作人员会{ by-when }联系您。如果情况变差或您有危险，请马上拨打{ $emergency }。这是自动消息。
urgent-received-discreet = 收到您的消息。会有人{ by-when }联系您。如果不能等，请拨打{ $emergency }。
person-will-read = 谢谢。会有人{ by-when }阅读您的消息。
unknown-sender = 我们不认识这个号码。会有人阅读您的消息。您也可以拨打{ $phone }。如果您有危险，请马上拨打{ $emergency }。

## Consent

stop-confirmation = { $clinic }：我们不会再给您发消息。如要重新接收，请回复 START。
stop-confirmation-discreet = 您不会再收到消息。如要重新接收，请回复 START。
start-confirmation = { $clinic }：您会重新收到我们的消息。需要帮助请回复 HELP，停止请回复 STOP 或 停止。可能会收取短信和流量费。
start-confirmation-discreet = 您会重新收到消息。需要帮助请回复 HELP，停止请回复 STOP 或 停止。
help = { $clinic }：需要帮助请拨打{ $phone }。不想再收到消息，请回复 STOP 或 停止。可能会收取短信和流量费。
help-discreet = 需要帮助请拨打{ $phone }。不想再收到消息，请回复 STOP 或 停止。

## Answers

reask-yes-no = 抱歉，没有看懂。请回复：是 或 不是。
reask-number = 抱歉，没有看懂。请只回复数字，单位是{ unit-name }。
reask-number-discreet = 抱歉，没有看懂。请只回复数字。
reask-scale = 抱歉，没有看懂。请回复一个从{ $min }到{ $max }的数字。
reask-choice = 抱歉，没有看懂。请只回复一个数字，从1到{ $max }。
reask-visit = 抱歉，没有看懂。请回复：C 确认，R 改时间，X 不能来。
answer-thanks = 谢谢。收到您的回答。
reading-thanks = 谢谢。已记下：{ $value } { unit-short }。
reading-thanks-discreet = 谢谢。收到您的回答。

## Links

link-invite =
    { $clinic }：要在 Telegram 上接收我们的消息，请打开这个链接。只能用一次。
    { $link }
link-invite-discreet =
    要在 Telegram 上接收消息，请打开这个链接。只能用一次。
    { $link }
link-welcome = { $clinic }：我们会在这里给您发消息。Telegram 是另一家公司，可能看到这些消息。需要帮助请回复 HELP，不想再收到请回复 STOP 或 停止。
link-welcome-discreet = 您会在这里收到消息。Telegram 是另一家公司，可能看到这些消息。需要帮助请回复 HELP，不想再收到请回复 STOP 或 停止。
link-over = 这个链接不能再用了。请索取新的链接，或拨打{ $phone }。

## Buttons

choice-confirm = 确认
choice-reschedule = 改时间
choice-cant-come = 不能来
choice-yes = 是
choice-no = 不是
