### Messages of the protocols: Chinese, traditional script (zh-Hant).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }：已為您留好時間：{ $when }。請回覆：C 確認，R 改時間，X 不能來。
visit-reminder-discreet = 已為您留好時間：{ $when }。請回覆：C 確認，R 改時間，X 不能來。
visit-confirmed = 謝謝。您的時間是：{ $when }。
visit-reschedule = 謝謝。工作人員會{ by-when }給您另一個時間。
visit-cant-come = 謝謝您告訴我們。工作人員會{ by-when }聯絡您。
visit-follow-why = 是什麼讓您不方便來？請用您自己的話回答。

## Readings

weight-question = { $name }，您好。您今天的體重是多少{ unit-name }？請只回覆數字。
weight-question-discreet = 今天的數字是多少？請只回覆數字。

## Goals

goal-question = { $name }，您的目標做得怎麼樣：{ $goal }？請回覆：1 做到了，2 一部分，3 還沒有。
    .options = 做到了|是|做了 / 一部分|做到一部分|一點 / 還沒有|沒有|沒做到
goal-question-discreet = 這個星期怎麼樣？您可以回覆：做到了、一部分、還沒有。
goal-why = 遇到了什麼困難？請用您自己的話回答。
goal-keep = 下個星期您想繼續嗎？請回覆：是 或 不是。
goal-noted = 謝謝。我們記下了。
goal-well-done = 做得好！謝謝您告訴我們。

## How the patient is

wellbeing-question = { $name }，您好。您今天感覺怎麼樣？請回覆：1 好，2 普通，3 不好。
    .options = 好|很好 / 普通|還可以|馬馬虎虎 / 不好|很差|不舒服
wellbeing-question-discreet = 您好。今天怎麼樣？您可以回覆：好、普通、不好。
