### Core messages: Yiddish (yi), in the unpointed spelling that is usual in Brooklyn and Rockland.
### Status: draft (machine), not reviewed by a native speaker.
###
### A line that begins with Latin letters or digits would run from left to right: such arguments have a line of their own.

## Parts of other messages

by-when = ביז { $by }
unit-name =
    { $unit ->
        [lb] פונט
        [kg] קילא
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] מען האט שוין געמאלדן פאר { $who }, און דאס וועט געליינט ווערן { by-when }.
       *[no] עס קען זיין אז קיינער ביי אונז וועט נישט ליינען אייער מעסעדזש ביז { $opens }.
    }
crisis-person-discreet =
    { $staffed ->
        [yes] א מענטש ווייסט שוין דערפון.
       *[no] עס קען זיין אז קיינער וועט נישט ליינען אייער מעסעדזש ביז { $opens }.
    }

## Crisis

crisis-medical = א דאנק אז איר האט אונז געמאלדן. ביטע רופט יעצט { $emergency }, אדער בעט איינעם צו רופן פאר אייך. דאס איז אן אויטאמאטישע מעסעדזש. { crisis-person } איר קענט ווייטער שרייבן דא.
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = א דאנק אז איר האט אונז דאס געזאגט. אויב איר זענט יעצט אין סכנה, רופט { $emergency }. איר קענט רופן { $lifeline } יעדע צייט צו רעדן מיט א מענטש. זאגט "Yiddish" צו באקומען א דאלמעטשער. דאס איז אן אויטאמאטישע מעסעדזש. { crisis-person } איר קענט ווייטער שרייבן דא.
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = מיר האבן באקומען אייער מעסעדזש. אויב איר דארפט הילף יעצט, רופט { $emergency }. דאס איז אן אויטאמאטישע מעסעדזש. { crisis-person-discreet } איר קענט ווייטער שרייבן דא.
urgent-received = א דאנק אז איר האט אונז געמאלדן. א מענטש וועט זיך פארבינדן מיט אייך { by-when }. אויב עס ווערט ערגער אדער איר זענט אין סכנה, רופט יעצט { $emergency }. דאס איז אן אויטאמאטישע מעסעדזש.
urgent-received-discreet = מיר האבן באקומען אייער מעסעדזש. א מענטש וועט זיך פארבינדן מיט אייך { by-when }. אויב איר קענט נישט ווארטן, רופט { $emergency }.
person-will-read = א דאנק. א מענטש וועט ליינען אייער מעסעדזש { by-when }.
unknown-sender =
    מיר קענען נישט דעם נומער. א מענטש וועט ליינען אייער מעסעדזש. אויב איר זענט אין סכנה, רופט יעצט { $emergency }. איר קענט אויך רופן:
    { $phone }

## Consent

stop-confirmation =
    { $clinic }
    איר וועט מער נישט באקומען מעסעדזשעס פון אונז. צו אנהייבן נאכאמאל, ענטפערט START.
stop-confirmation-discreet = איר וועט מער נישט באקומען מעסעדזשעס. צו אנהייבן נאכאמאל, ענטפערט START.
start-confirmation =
    { $clinic }
    איר וועט ווידער באקומען מעסעדזשעס פון אונז. פאר הילף ענטפערט HELP. אויפצוהערן ענטפערט STOP אדער סטאפ. עס קען קאסטן געלט פאר מעסעדזשעס און דאטא.
start-confirmation-discreet = איר וועט ווידער באקומען מעסעדזשעס. פאר הילף ענטפערט HELP. אויפצוהערן ענטפערט STOP אדער סטאפ.
help =
    { $clinic }
    פאר הילף רופט:
    { $phone }
    צו מער נישט באקומען מעסעדזשעס, ענטפערט STOP אדער סטאפ. עס קען קאסטן געלט פאר מעסעדזשעס און דאטא.
help-discreet =
    פאר הילף רופט:
    { $phone }
    צו מער נישט באקומען מעסעדזשעס, ענטפערט STOP אדער סטאפ.

## Answers

reask-yes-no = אנטשולדיגט, דאס איז נישט געווען קלאר. ביטע ענטפערט יא אדער ניין.
reask-number = אנטשולדיגט, דאס איז נישט געווען קלאר. ביטע שיקט נאר די נומער, אין { unit-name }.
reask-number-discreet = אנטשולדיגט, דאס איז נישט געווען קלאר. ביטע שיקט נאר די נומער.
reask-scale = אנטשולדיגט, דאס איז נישט געווען קלאר. ביטע שיקט א נומער פון { $min } ביז { $max }.
reask-choice = אנטשולדיגט, דאס איז נישט געווען קלאר. ביטע שיקט איין נומער פון 1 ביז { $max }.
reask-visit = אנטשולדיגט, דאס איז נישט געווען קלאר. ביטע ענטפערט C צו באשטעטיגן, R פאר אן אנדערע צייט אדער X אויב איר קענט נישט קומען.
answer-thanks = א דאנק. מיר האבן באקומען אייער ענטפער.
reading-thanks = א דאנק. מיר האבן פארשריבן { $value } { unit-short }.
reading-thanks-discreet = א דאנק. מיר האבן באקומען אייער ענטפער.

## Links

link-invite =
    { $clinic }
    צו באקומען אונזערע מעסעדזשעס אויף טעלעגראם, עפנט דעם לינק. ער ארבעט נאר איין מאל.
    { $link }
link-invite-discreet =
    צו באקומען מעסעדזשעס אויף טעלעגראם, עפנט דעם לינק. ער ארבעט נאר איין מאל.
    { $link }
link-welcome =
    { $clinic }
    איר וועט באקומען אונזערע מעסעדזשעס דא. טעלעגראם איז אן אנדערע קאמפאניע, וואס קען זיי זען. פאר הילף ענטפערט HELP. אויפצוהערן ענטפערט STOP אדער סטאפ.
link-welcome-discreet = איר וועט באקומען מעסעדזשעס דא. טעלעגראם איז אן אנדערע קאמפאניע, וואס קען זיי זען. פאר הילף ענטפערט HELP. אויפצוהערן ענטפערט STOP אדער סטאפ.
link-over =
    דער לינק ארבעט שוין נישט. בעט א נייעם, אדער רופט:
    { $phone }

## Buttons

choice-confirm = איך באשטעטיג
choice-reschedule = אן אנדערע צייט
choice-cant-come = איך קען נישט קומען
choice-yes = יא
choice-no = ניין
