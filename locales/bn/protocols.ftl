### Messages of the protocols: Bengali (bn).
### Status: draft (machine), not reviewed by a native speaker.

## Visits

visit-reminder = { $clinic }: আপনার জন্য সময় রাখা আছে: { $when }। লিখে পাঠান: C আসব, R অন্য সময়, X আসতে পারব না।
visit-reminder-discreet = আপনার জন্য সময় রাখা আছে: { $when }। লিখে পাঠান: C আসব, R অন্য সময়, X আসতে পারব না।
visit-confirmed = ধন্যবাদ। আপনার সময়: { $when }।
visit-reschedule = ধন্যবাদ। { by-when } একজন আপনাকে অন্য সময় জানাবেন।
visit-cant-come = জানানোর জন্য ধন্যবাদ। { by-when } একজন আপনার সঙ্গে যোগাযোগ করবেন।
visit-follow-why = আসতে কী অসুবিধা হচ্ছে? নিজের ভাষায় লিখতে পারেন।

## Readings

weight-question = { $name }, আজ আপনার ওজন কত { unit-name }? শুধু সংখ্যাটি পাঠান।
weight-question-discreet = আজকের সংখ্যাটি কত? শুধু সংখ্যাটি পাঠান।

## Goals

goal-question = { $name }, আপনার লক্ষ্য কেমন চলছে: { $goal }? লিখে পাঠান: 1 হ্যাঁ, 2 কিছুটা, 3 এখনও না।
    .options = হ্যাঁ|করেছি / কিছুটা|একটু / এখনও না|এখনো না|না
goal-question-discreet = এই সপ্তাহ কেমন গেল? উত্তর দিতে পারেন: হ্যাঁ, কিছুটা বা এখনও না।
goal-why = কী অসুবিধা হয়েছে? নিজের ভাষায় লিখতে পারেন।
goal-keep = আগামী সপ্তাহেও কি এটা রাখতে চান? হ্যাঁ বা না লিখে পাঠান।
goal-noted = ধন্যবাদ। লিখে রেখেছি।
goal-well-done = খুব ভালো! জানানোর জন্য ধন্যবাদ।

## How the patient is

wellbeing-question = { $name }, আজ আপনি কেমন আছেন? লিখে পাঠান: 1 ভালো, 2 মোটামুটি, 3 খারাপ।
    .options = ভালো|ভাল / মোটামুটি / খারাপ|ভালো না|ভাল না
wellbeing-question-discreet = আজ কেমন আছেন? উত্তর দিতে পারেন: ভালো, মোটামুটি বা খারাপ।
