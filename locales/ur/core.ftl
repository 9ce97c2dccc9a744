### Core messages: Urdu (ur).
### Status: draft (machine), not reviewed by a native speaker.
###
### A line that begins with Latin letters or digits would run from left to right: such arguments have a line of their own.

## Parts of other messages

by-when = { $by } تک
unit-name =
    { $unit ->
        [lb] پاؤنڈ
        [kg] کلو
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] { $who } کو بتا دیا گیا ہے۔ یہ پیغام { by-when } پڑھ لیا جائے گا۔
       *[no] ہو سکتا ہے کہ ہماری ٹیم { $opens } سے پہلے آپ کا پیغام نہ پڑھے۔
    }
crisis-person-discreet =
    { $staffed ->
        [yes] ایک فرد کو بتا دیا گیا ہے۔
       *[no] ہو سکتا ہے کہ { $opens } سے پہلے آپ کا پیغام نہ پڑھا جائے۔
    }

## Crisis

crisis-medical = بتانے کا شکریہ۔ ابھی { $emergency } پر فون کریں، یا کسی سے کہیں کہ فون کرے۔ یہ خودکار پیغام ہے۔ { crisis-person } آپ یہاں مزید لکھ سکتے ہیں۔
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = یہ بتانے کا شکریہ۔ اگر آپ ابھی خطرے میں ہیں تو { $emergency } پر فون کریں۔ آپ کسی بھی وقت { $lifeline } پر فون کر کے کسی سے بات کر سکتے ہیں۔ مترجم کے لیے "Urdu" کہیں۔ یہ خودکار پیغام ہے۔ { crisis-person } آپ یہاں مزید لکھ سکتے ہیں۔
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = آپ کا پیغام مل گیا۔ اگر ابھی مدد چاہیے تو { $emergency } پر فون کریں۔ یہ خودکار پیغام ہے۔ { crisis-person-discreet } آپ یہاں مزید لکھ سکتے ہیں۔
urgent-received = بتانے کا شکریہ۔ { by-when } کوئی آپ سے رابطہ کرے گا۔ اگر حالت بگڑے یا آپ خطرے میں ہوں تو فوراً { $emergency } پر فون کریں۔ یہ خودکار پیغام ہے۔
urgent-received-discreet = آپ کا پیغام مل گیا۔ { by-when } کوئی آپ سے رابطہ کرے گا۔ اگر انتظار نہ ہو سکے تو { $emergency } پر فون کریں۔
person-will-read = شکریہ۔ { by-when } کوئی آپ کا پیغام پڑھ لے گا۔
unknown-sender =
    ہم یہ نمبر نہیں جانتے۔ کوئی آپ کا پیغام پڑھے گا۔ اگر آپ خطرے میں ہیں تو فوراً { $emergency } پر فون کریں۔ اس نمبر پر بھی فون کر سکتے ہیں:
    { $phone }

## Consent

stop-confirmation =
    { $clinic }
    اب آپ کو ہمارے پیغام نہیں آئیں گے۔ دوبارہ شروع کرنے کے لیے START لکھ کر بھیجیں۔
stop-confirmation-discreet = اب آپ کو پیغام نہیں آئیں گے۔ دوبارہ شروع کرنے کے لیے START لکھ کر بھیجیں۔
start-confirmation =
    { $clinic }
    آپ کو ہمارے پیغام دوبارہ آئیں گے۔ مدد کے لیے HELP لکھ کر بھیجیں۔ بند کرنے کے لیے STOP یا بند لکھ کر بھیجیں۔ پیغام اور ڈیٹا کے پیسے لگ سکتے ہیں۔
start-confirmation-discreet = آپ کو پیغام دوبارہ آئیں گے۔ مدد کے لیے HELP لکھ کر بھیجیں۔ بند کرنے کے لیے STOP یا بند لکھ کر بھیجیں۔
help =
    { $clinic }
    مدد کے لیے اس نمبر پر فون کریں:
    { $phone }
    پیغام بند کرنے کے لیے STOP یا بند لکھ کر بھیجیں۔ پیغام اور ڈیٹا کے پیسے لگ سکتے ہیں۔
help-discreet =
    مدد کے لیے اس نمبر پر فون کریں:
    { $phone }
    پیغام بند کرنے کے لیے STOP یا بند لکھ کر بھیجیں۔

## Answers

reask-yes-no = معذرت، جواب سمجھ نہیں آیا۔ ہاں یا نہیں لکھ کر بھیجیں۔
reask-number = معذرت، جواب سمجھ نہیں آیا۔ صرف نمبر بھیجیں، { unit-name } میں۔
reask-number-discreet = معذرت، جواب سمجھ نہیں آیا۔ صرف نمبر بھیجیں۔
reask-scale = معذرت، جواب سمجھ نہیں آیا۔ { $min } سے { $max } تک کا ایک نمبر بھیجیں۔
reask-choice = معذرت، جواب سمجھ نہیں آیا۔ 1 سے { $max } تک کا صرف ایک نمبر بھیجیں۔
reask-visit = معذرت، جواب سمجھ نہیں آیا۔ لکھ کر بھیجیں C آنا ہے، R کوئی اور وقت، X آنا ممکن نہیں۔
answer-thanks = شکریہ۔ آپ کا جواب مل گیا۔
reading-thanks = شکریہ۔ ہم نے لکھ لیا: { $value } { unit-short }۔
reading-thanks-discreet = شکریہ۔ آپ کا جواب مل گیا۔

## Links

link-invite =
    { $clinic }
    ٹیلیگرام پر ہمارے پیغام پانے کے لیے یہ لنک کھولیں۔ یہ ایک ہی بار کام کرتا ہے۔
    { $link }
link-invite-discreet =
    ٹیلیگرام پر پیغام پانے کے لیے یہ لنک کھولیں۔ یہ ایک ہی بار کام کرتا ہے۔
    { $link }
link-welcome =
    { $clinic }
    اب ہمارے پیغام یہاں آئیں گے۔ ٹیلیگرام ایک اور کمپنی ہے جو انہیں دیکھ سکتی ہے۔ مدد کے لیے HELP اور بند کرنے کے لیے STOP یا بند لکھ کر بھیجیں۔
link-welcome-discreet = اب پیغام یہاں آئیں گے۔ ٹیلیگرام ایک اور کمپنی ہے جو انہیں دیکھ سکتی ہے۔ مدد کے لیے HELP اور بند کرنے کے لیے STOP یا بند لکھ کر بھیجیں۔
link-over =
    یہ لنک اب کام نہیں کرتا۔ نیا لنک مانگیں، یا اس نمبر پر فون کریں:
    { $phone }

## Buttons

choice-confirm = آنا ہے
choice-reschedule = کوئی اور وقت
choice-cant-come = آنا ممکن نہیں
choice-yes = ہاں
choice-no = نہیں
