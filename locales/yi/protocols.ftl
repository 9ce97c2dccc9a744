### Messages of the protocols: Yiddish (yi).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder =
    { $clinic }
    רעזערווירט פאר אייך: { $when }. ענטפערט C איך קום, R אנדערע צייט, X איך קען נישט.
visit-reminder-discreet = רעזערווירט פאר אייך: { $when }. ענטפערט C איך קום, R אנדערע צייט, X איך קען נישט.
visit-confirmed = א דאנק. אייער צייט איז { $when }.
visit-reschedule = א דאנק. א מענטש וועט אייך געבן אן אנדערע צייט { by-when }.
visit-cant-come = א דאנק אז איר האט אונז געמאלדן. א מענטש וועט זיך פארבינדן מיט אייך { by-when }.
visit-follow-why = וואס מאכט עס שווער צו קומען? איר קענט ענטפערן מיט אייערע אייגענע ווערטער.

## Readings

weight-question = א גוטן { $name }. וויפיל וועגט איר היינט אין { unit-name }? שיקט נאר די נומער.
weight-question-discreet = וואס איז די נומער פון היינט? שיקט נאר די נומער.

## Goals

goal-question = א גוטן { $name }. ווי גייט עס מיט אייער ציל: { $goal }? ענטפערט 1 יא, 2 א טייל, 3 נאכנישט.
    .options = יא / א טייל|א ביסל / נאכנישט|נאך נישט|ניין
goal-question-discreet = ווי איז געגאנגען די וואך? איר קענט ענטפערן: יא, א טייל אדער נאכנישט.
goal-why = וואס האט געשטערט? איר קענט ענטפערן מיט אייערע אייגענע ווערטער.
goal-keep = ווילט איר דאס האלטן פאר די קומענדיגע וואך? ענטפערט יא אדער ניין.
goal-noted = א דאנק. מיר האבן עס פארשריבן.
goal-well-done = זייער שיין! א דאנק אז איר האט אונז דערציילט.

## How the patient is

wellbeing-question = א גוטן { $name }. ווי פילט איר זיך היינט? ענטפערט 1 גוט, 2 אזוי און אזוי, 3 נישט גוט.
    .options = גוט / אזוי און אזוי|אזוי אזוי / נישט גוט|שלעכט
wellbeing-question-discreet = א גוטן. ווי גייט עס היינט? איר קענט ענטפערן: גוט, אזוי און אזוי אדער נישט גוט.
