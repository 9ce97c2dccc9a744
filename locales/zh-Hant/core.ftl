### Core messages: Chinese, traditional script (zh-Hant).
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
        [yes] 已通知{ $who }，會{ by-when }閱讀這則訊息。
       *[no] 我們的工作人員在{ $opens }前可能看不到您的訊息。
    }
crisis-person-discreet =
    { $staffed ->
        [yes] 已通知一位工作人員。
       *[no] 在{ $opens }前可能沒有人看到您的訊息。
    }

## Crisis

crisis-medical = 謝謝您告訴我們。請現在就撥打{ $emergency }，或請別人幫您撥打。這是自動訊息。{ crisis-person }您可以繼續在這裡寫。
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = 謝謝您願意告訴我們。如果您現在有危險，請撥打{ $emergency }。您隨時可以撥打{ $lifeline }，和人談一談；說"Cantonese"或"Mandarin"就會有口譯。這是自動訊息。{ crisis-person }您可以繼續在這裡寫。
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = 收到您的訊息。如果您現在需要幫助，請撥打{ $emergency }。這是自動訊息。{ crisis-person-discreet }您可以繼續在這裡寫。
urgent-received = 謝謝您告訴我們。工作人員會{ by-when }聯絡您。如果情況變差或您有危險，請馬上撥打{ $emergency }。這是自動訊息。
urgent-received-discreet = 收到您的訊息。會有人{ by-when }聯絡您。如果不能等，請撥打{ $emergency }。
person-will-read = 謝謝。會有人{ by-when }閱讀您的訊息。
unknown-sender = 我們不認識這個號碼。會有人閱讀您的訊息。您也可以撥打{ $phone }。如果您有危險，請馬上撥打{ $emergency }。

## Consent

stop-confirmation = { $clinic }：我們不會再傳訊息給您。如要重新接收，請回覆 START。
stop-confirmation-discreet = 您不會再收到訊息。如要重新接收，請回覆 START。
start-confirmation = { $clinic }：您會重新收到我們的訊息。需要幫助請回覆 HELP，停止請回覆 STOP 或 停止。可能會收取簡訊和數據費用。
start-confirmation-discreet = 您會重新收到訊息。需要幫助請回覆 HELP，停止請回覆 STOP 或 停止。
help = { $clinic }：需要幫助請撥打{ $phone }。不想再收到訊息，請回覆 STOP 或 停止。可能會收取簡訊和數據費用。
help-discreet = 需要幫助請撥打{ $phone }。不想再收到訊息，請回覆 STOP 或 停止。

## Answers

reask-yes-no = 抱歉，沒有看懂。請回覆：是 或 不是。
reask-number = 抱歉，沒有看懂。請只回覆數字，單位是{ unit-name }。
reask-number-discreet = 抱歉，沒有看懂。請只回覆數字。
reask-scale = 抱歉，沒有看懂。請回覆一個從{ $min }到{ $max }的數字。
reask-choice = 抱歉，沒有看懂。請只回覆一個數字，從1到{ $max }。
reask-visit = 抱歉，沒有看懂。請回覆：C 確認，R 改時間，X 不能來。
answer-thanks = 謝謝。收到您的回答。
reading-thanks = 謝謝。已記下：{ $value } { unit-short }。
reading-thanks-discreet = 謝謝。收到您的回答。

## Links

link-invite =
    { $clinic }：要在 Telegram 上接收我們的訊息，請打開這個連結。只能用一次。
    { $link }
link-invite-discreet =
    要在 Telegram 上接收訊息，請打開這個連結。只能用一次。
    { $link }
link-welcome = { $clinic }：我們會在這裡傳訊息給您。Telegram 是另一家公司，可能看到這些訊息。需要幫助請回覆 HELP，不想再收到請回覆 STOP 或 停止。
link-welcome-discreet = 您會在這裡收到訊息。Telegram 是另一家公司，可能看到這些訊息。需要幫助請回覆 HELP，不想再收到請回覆 STOP 或 停止。
link-over = 這個連結不能再用了。請索取新的連結，或撥打{ $phone }。

## Buttons

choice-confirm = 確認
choice-reschedule = 改時間
choice-cant-come = 不能來
choice-yes = 是
choice-no = 不是
