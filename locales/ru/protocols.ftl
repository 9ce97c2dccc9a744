### Messages of the protocols: Russian (ru).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }: для Вас оставлено время: { $when }. Ответьте C - приду, R - другое время, X - не смогу прийти.
visit-reminder-discreet = Для Вас оставлено время: { $when }. Ответьте C - приду, R - другое время, X - не смогу прийти.
visit-confirmed = Спасибо. Ваше время: { $when }.
visit-reschedule = Спасибо. Вам предложат другое время { by-when }.
visit-cant-come = Спасибо, что сообщили. С Вами свяжутся { by-when }.
visit-follow-why = Что мешает Вам прийти? Ответьте своими словами.

## Readings

weight-question = Здравствуйте, { $name }. Какой у Вас сегодня вес в { unit-name }? Пришлите только число.
weight-question-discreet = Какая сегодня цифра? Пришлите только число.

## Goals

goal-question = { $name }, как дела с Вашей целью: { $goal }? Ответьте 1 - да, 2 - частично, 3 - пока нет.
    .options = да|получилось / частично|немного / пока нет|ещё нет|нет
goal-question-discreet = Как прошла эта неделя? Можно ответить: да, частично или пока нет.
goal-why = Что помешало? Ответьте своими словами.
goal-keep = Хотите оставить это на следующую неделю? Ответьте: да или нет.
goal-noted = Спасибо. Мы это записали.
goal-well-done = Отлично! Спасибо, что рассказали.

## How the patient is

wellbeing-question = Здравствуйте, { $name }. Как Вы себя чувствуете сегодня? Ответьте 1 - хорошо, 2 - так себе, 3 - плохо.
    .options = хорошо|нормально / так себе / плохо|нехорошо
wellbeing-question-discreet = Здравствуйте. Как дела сегодня? Можно ответить: хорошо, так себе или плохо.
