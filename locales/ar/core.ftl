### Core messages: Arabic (ar), in the polite plural, which does not say whether a man or a woman is addressed.
### Status: draft (machine), not reviewed by a native speaker.
###
### A line that begins with Latin letters or digits would run from left to right: such arguments have a line of their own.

## Parts of other messages

by-when =
    { $by-style ->
        [time] قبل الساعة { $by }
        [time-one] قبل الساعة { $by }
       *[other] قبل { $by }
    }
unit-name =
    { $unit ->
        [lb] رطل
        [kg] كيلو
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] تم إبلاغ { $who } وستتم قراءة هذه الرسالة { by-when }.
       *[no] قد لا يقرأ فريقنا رسالتكم قبل { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] تم إبلاغ شخص.
       *[no] قد لا يقرأ أحد رسالتكم قبل { $opens }.
    }

## Crisis

crisis-medical = شكراً لإخبارنا. يرجى الاتصال الآن بالرقم { $emergency } أو اطلبوا من أحد أن يتصل. هذه رسالة آلية. { crisis-person } يمكنكم مواصلة الكتابة هنا.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = شكراً لإخبارنا بهذا. إذا كنتم في خطر الآن، اتصلوا بالرقم { $emergency }. يمكنكم الاتصال بالرقم { $lifeline } في أي وقت للتحدث مع شخص. قولوا "Arabic" للحصول على مترجم. هذه رسالة آلية. { crisis-person } يمكنكم مواصلة الكتابة هنا.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = وصلتنا رسالتكم. إذا احتجتم إلى مساعدة الآن، اتصلوا بالرقم { $emergency }. هذه رسالة آلية. { crisis-person-discreet } يمكنكم مواصلة الكتابة هنا.
urgent-received = شكراً لإخبارنا. سيتواصل معكم شخص { by-when }. إذا ساء الأمر أو كنتم في خطر، اتصلوا فوراً بالرقم { $emergency }. هذه رسالة آلية.
urgent-received-discreet = وصلتنا رسالتكم. سيتواصل معكم شخص { by-when }. إذا تعذر الانتظار، اتصلوا بالرقم { $emergency }.
person-will-read = شكراً لكم. سيقرأ شخص رسالتكم { by-when }.
unknown-sender =
    لا نعرف هذا الرقم. سيقرأ شخص رسالتكم. إذا كنتم في خطر، اتصلوا فوراً بالرقم { $emergency }. يمكنكم أيضاً الاتصال بالرقم:
    { $phone }

## Consent

stop-confirmation =
    { $clinic }
    لن تصلكم رسائل منا بعد الآن. للبدء من جديد، أرسلوا START.
stop-confirmation-discreet = لن تصلكم رسائل بعد الآن. للبدء من جديد، أرسلوا START.
start-confirmation =
    { $clinic }
    ستصلكم رسائلنا من جديد. للمساعدة أرسلوا HELP. للتوقف أرسلوا STOP أو توقف. قد تطبق رسوم الرسائل والبيانات.
start-confirmation-discreet = ستصلكم الرسائل من جديد. للمساعدة أرسلوا HELP. للتوقف أرسلوا STOP أو توقف.
help =
    { $clinic }
    للمساعدة اتصلوا بالرقم:
    { $phone }
    لوقف الرسائل أرسلوا STOP أو توقف. قد تطبق رسوم الرسائل والبيانات.
help-discreet =
    للمساعدة اتصلوا بالرقم:
    { $phone }
    لوقف الرسائل أرسلوا STOP أو توقف.

## Answers

reask-yes-no = عذراً، لم نفهم الجواب. أرسلوا نعم أو لا.
reask-number = عذراً، لم نفهم الجواب. أرسلوا الرقم فقط، بوحدة { unit-name }.
reask-number-discreet = عذراً، لم نفهم الجواب. أرسلوا الرقم فقط.
reask-scale = عذراً، لم نفهم الجواب. أرسلوا رقماً من { $min } إلى { $max }.
reask-choice = عذراً، لم نفهم الجواب. أرسلوا رقماً واحداً من 1 إلى { $max }.
reask-visit = عذراً، لم نفهم الجواب. أرسلوا C للتأكيد أو R لوقت آخر أو X إذا تعذر الحضور.
answer-thanks = شكراً لكم. وصلنا جوابكم.
reading-thanks = شكراً لكم. سجلنا { $value } { unit-short }.
reading-thanks-discreet = شكراً لكم. وصلنا جوابكم.

## Links

link-invite =
    { $clinic }
    للحصول على رسائلنا في تيليجرام افتحوا هذا الرابط. يعمل مرة واحدة.
    { $link }
link-invite-discreet =
    للحصول على الرسائل في تيليجرام افتحوا هذا الرابط. يعمل مرة واحدة.
    { $link }
link-welcome =
    { $clinic }
    ستصلكم رسائلنا هنا. تيليجرام شركة أخرى قد ترى الرسائل. للمساعدة أرسلوا HELP. للتوقف أرسلوا STOP أو توقف.
link-welcome-discreet = ستصلكم الرسائل هنا. تيليجرام شركة أخرى قد ترى الرسائل. للمساعدة أرسلوا HELP. للتوقف أرسلوا STOP أو توقف.
link-over =
    لم يعد هذا الرابط صالحاً. اطلبوا رابطاً جديداً، أو اتصلوا بالرقم:
    { $phone }

## Buttons

choice-confirm = تأكيد
choice-reschedule = وقت آخر
choice-cant-come = تعذر الحضور
choice-yes = نعم
choice-no = لا
