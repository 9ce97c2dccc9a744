### Messages of the protocols: Chinese, simplified script (zh-Hans).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }：已为您留好时间：{ $when }。请回复：C 确认，R 改时间，X 不能来。
visit-reminder-discreet = 已为您留好时间：{ $when }。请回复：C 确认，R 改时间，X 不能来。
visit-confirmed = 谢谢。您的时间是：{ $when }。
visit-reschedule = 谢谢。工作人员会{ by-when }给您另一个时间。
visit-cant-come = 谢谢您告诉我们。工作人员会{ by-when }联系您。
visit-follow-why = 是什么让您不方便来？请用您自己的话回答。

## Readings

weight-question = { $name }，您好。您今天的体重是多少{ unit-name }？请只回复数字。
weight-question-discreet = 今天的数字是多少？请只回复数字。

## Goals

goal-question = { $name }，您的目标做得怎么样：{ $goal }？请回复：1 做到了，2 一部分，3 还没有。
    .options = 做到了|是|做了 / 一部分|做到一部分|一点 / 还没有|没有|没做到
goal-question-discreet = 这个星期怎么样？您可以回复：做到了、一部分、还没有。
goal-why = 遇到了什么困难？请用您自己的话回答。
goal-keep = 下个星期您想继续吗？请回复：是 或 不是。
goal-noted = 谢谢。我们记下了。
goal-well-done = 做得好！谢谢您告诉我们。

## How the patient is

wellbeing-question = { $name }，您好。您今天感觉怎么样？请回复：1 好，2 一般，3 不好。
    .options = 好|很好 / 一般|还可以|马马虎虎 / 不好|很差|不舒服
wellbeing-question-discreet = 您好。今天怎么样？您可以回复：好、一般、不好。
