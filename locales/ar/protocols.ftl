### Messages of the protocols: Arabic (ar).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder =
    { $clinic }
    لديكم وقت محجوز: { $when }. أرسلوا C للتأكيد أو R لوقت آخر أو X إذا تعذر الحضور.
visit-reminder-discreet = لديكم وقت محجوز: { $when }. أرسلوا C للتأكيد أو R لوقت آخر أو X إذا تعذر الحضور.
visit-confirmed = شكراً لكم. وقتكم هو: { $when }.
visit-reschedule = شكراً لكم. سيعرض عليكم شخص وقتاً آخر { by-when }.
visit-cant-come = شكراً لإخبارنا. سيتواصل معكم شخص { by-when }.
visit-follow-why = ما الذي يجعل الحضور صعباً؟ يمكنكم الإجابة بكلماتكم.

## Readings

weight-question = مرحباً { $name }. كم وزنكم اليوم بوحدة { unit-name }؟ أرسلوا الرقم فقط.
weight-question-discreet = ما هو رقم اليوم؟ أرسلوا الرقم فقط.

## Goals

goal-question = مرحباً { $name }. كيف سار هدفكم: { $goal }؟ أرسلوا 1 نعم، 2 جزئياً، 3 ليس بعد.
    .options = نعم / جزئياً|قليلاً / ليس بعد|لا
goal-question-discreet = كيف سار هذا الأسبوع؟ يمكنكم الإجابة: نعم أو جزئياً أو ليس بعد.
goal-why = ما الذي صعّب الأمر؟ يمكنكم الإجابة بكلماتكم.
goal-keep = هل تريدون الاستمرار في الأسبوع القادم؟ أرسلوا نعم أو لا.
goal-noted = شكراً لكم. سجلنا ذلك.
goal-well-done = أحسنتم! شكراً لإخبارنا.

## How the patient is

wellbeing-question = مرحباً { $name }. كيف تشعرون اليوم؟ أرسلوا 1 بخير، 2 هكذا وهكذا، 3 لست بخير.
    .options = بخير|جيد / هكذا وهكذا|نص نص / لست بخير|ليس بخير|سيئ
wellbeing-question-discreet = مرحباً. كيف الحال اليوم؟ يمكنكم الإجابة: بخير أو هكذا وهكذا أو لست بخير.
