### Messages of the protocols: Korean (ko).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }: 시간을 잡아 두었습니다: { $when }. C 확인, R 다른 시간, X 못 감 중 하나로 답해 주세요.
visit-reminder-discreet = 시간을 잡아 두었습니다: { $when }. C 확인, R 다른 시간, X 못 감 중 하나로 답해 주세요.
visit-confirmed = 감사합니다. 잡아 둔 시간: { $when }.
visit-reschedule = 감사합니다. { by-when } 담당자가 다른 시간을 알려 드립니다.
visit-cant-come = 알려 주셔서 감사합니다. { by-when } 담당자가 연락드립니다.
visit-follow-why = 오시기 어려운 이유가 무엇인가요? 편하게 써 주세요.

## Readings

weight-question = { $name } 님, 오늘 몸무게는 몇 { unit-name }인가요? 숫자만 보내 주세요.
weight-question-discreet = 오늘 숫자는 얼마인가요? 숫자만 보내 주세요.

## Goals

goal-question = { $name } 님, 목표는 어떻게 되었나요: { $goal }? 1 네, 2 일부, 3 아직 중 하나로 답해 주세요.
    .options = 네|예|했어요 / 일부|조금 / 아직|아니요|못했어요
goal-question-discreet = 이번 주는 어떠셨나요? 네, 일부, 아직 중 하나로 답하셔도 됩니다.
goal-why = 어떤 점이 어려우셨나요? 편하게 써 주세요.
goal-keep = 다음 주에도 계속하시겠어요? 네 또는 아니요로 답해 주세요.
goal-noted = 감사합니다. 기록했습니다.
goal-well-done = 잘하셨습니다! 알려 주셔서 감사합니다.

## How the patient is

wellbeing-question = { $name } 님, 오늘 기분과 몸은 어떠세요? 1 좋음, 2 보통, 3 나쁨 중 하나로 답해 주세요.
    .options = 좋음|좋아요 / 보통|그저 그래요 / 나쁨|나빠요|안 좋아요
wellbeing-question-discreet = 안녕하세요. 오늘 어떠세요? 좋음, 보통, 나쁨 중 하나로 답하셔도 됩니다.
