### Messages of the protocols: Urdu (ur).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder =
    { $clinic }
    آپ کے لیے وقت رکھا گیا ہے: { $when }۔ جواب دیں: C آنا ہے، R کوئی اور وقت، X ممکن نہیں۔
visit-reminder-discreet = آپ کے لیے وقت رکھا گیا ہے: { $when }۔ جواب دیں: C آنا ہے، R کوئی اور وقت، X ممکن نہیں۔
visit-confirmed = شکریہ۔ آپ کا وقت: { $when }۔
visit-reschedule = شکریہ۔ { by-when } کوئی آپ کو دوسرا وقت بتائے گا۔
visit-cant-come = بتانے کا شکریہ۔ { by-when } کوئی آپ سے رابطہ کرے گا۔
visit-follow-why = آنے میں کیا مشکل ہے؟ اپنے الفاظ میں لکھیں۔

## Readings

weight-question = السلام علیکم { $name }۔ آج آپ کا وزن کتنے { unit-name } ہے؟ صرف نمبر بھیجیں۔
weight-question-discreet = آج کا نمبر کیا ہے؟ صرف نمبر بھیجیں۔

## Goals

goal-question = السلام علیکم { $name }۔ آپ کا ہدف کیسا رہا: { $goal }؟ 1 ہاں، 2 کچھ حد تک، 3 ابھی نہیں بھیجیں۔
    .options = ہاں|جی ہاں / کچھ حد تک|تھوڑا / ابھی نہیں|نہیں
goal-question-discreet = یہ ہفتہ کیسا رہا؟ جواب دیں: ہاں، کچھ حد تک یا ابھی نہیں۔
goal-why = کیا مشکل پیش آئی؟ اپنے الفاظ میں لکھیں۔
goal-keep = کیا اگلے ہفتے بھی یہی رکھنا ہے؟ ہاں یا نہیں لکھ کر بھیجیں۔
goal-noted = شکریہ۔ ہم نے لکھ لیا۔
goal-well-done = بہت خوب! بتانے کا شکریہ۔

## How the patient is

wellbeing-question = السلام علیکم { $name }۔ آج آپ کی طبیعت کیسی ہے؟ 1 ٹھیک، 2 بس گزارا، 3 ٹھیک نہیں میں سے ایک نمبر بھیجیں۔
    .options = ٹھیک|اچھا / بس گزارا|درمیانی / ٹھیک نہیں|خراب
wellbeing-question-discreet = آج کیسا چل رہا ہے؟ جواب دیں: ٹھیک، بس گزارا یا ٹھیک نہیں۔
