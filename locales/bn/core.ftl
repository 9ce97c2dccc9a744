### Core messages: Bengali (bn).
### Status: draft (machine), not reviewed by a native speaker.

## Parts of other messages

by-when = { $by }-এর মধ্যে
unit-name =
    { $unit ->
        [lb] পাউন্ড
        [kg] কেজি
       *[other] { $unit }
    }
unit-short = { unit-name }
crisis-person =
    { $staffed ->
        [yes] { $who }-কে জানানো হয়েছে, { by-when } এটি পড়া হবে।
       *[no] { $opens }-এর আগে আমাদের কেউ আপনার বার্তা নাও পড়তে পারেন।
    }
crisis-person-discreet =
    { $staffed ->
        [yes] একজনকে জানানো হয়েছে।
       *[no] { $opens }-এর আগে আপনার বার্তা কেউ নাও পড়তে পারেন।
    }

## Crisis

crisis-medical = জানানোর জন্য ধন্যবাদ। এখনই { $emergency } নম্বরে ফোন করুন, অথবা কাউকে ফোন করতে বলুন। এটি একটি স্বয়ংক্রিয় বার্তা। { crisis-person } আপনি এখানে আরও লিখতে পারেন।
crisis-medical-discreet = { crisis-discreet }
crisis-self-harm = আমাদের এটা জানানোর জন্য ধন্যবাদ। এখন বিপদে থাকলে { $emergency } নম্বরে ফোন করুন। কারও সঙ্গে কথা বলতে যেকোনো সময় { $lifeline } নম্বরে ফোন করতে পারেন। দোভাষীর জন্য বলুন "Bengali"। এটি একটি স্বয়ংক্রিয় বার্তা। { crisis-person } আপনি এখানে আরও লিখতে পারেন।
crisis-self-harm-discreet = { crisis-discreet }
crisis-discreet = আপনার বার্তা পেয়েছি। এখন সাহায্য লাগলে { $emergency } নম্বরে ফোন করুন। এটি একটি স্বয়ংক্রিয় বার্তা। { crisis-person-discreet } আপনি এখানে আরও লিখতে পারেন।
urgent-received = জানানোর জন্য ধন্যবাদ। { by-when } একজন আপনার সঙ্গে যোগাযোগ করবেন। অবস্থা খারাপ হলে বা বিপদে থাকলে এখনই { $emergency } নম্বরে ফোন করুন। এটি একটি স্বয়ংক্রিয় বার্তা।
urgent-received-discreet = আপনার বার্তা পেয়েছি। { by-when } একজন আপনার সঙ্গে যোগাযোগ করবেন। অপেক্ষা করতে না পারলে { $emergency } নম্বরে ফোন করুন।
person-will-read = ধন্যবাদ। { by-when } একজন আপনার বার্তা পড়বেন।
unknown-sender = আমরা এই নম্বরটি চিনি না। একজন আপনার বার্তা পড়বেন। আপনি { $phone } নম্বরেও ফোন করতে পারেন। বিপদে থাকলে এখনই { $emergency } নম্বরে ফোন করুন।

## Consent

stop-confirmation = { $clinic }: আমরা আপনাকে আর বার্তা পাঠাব না। আবার শুরু করতে START লিখে পাঠান।
stop-confirmation-discreet = আপনি আর বার্তা পাবেন না। আবার শুরু করতে START লিখে পাঠান।
start-confirmation = { $clinic }: আপনি আবার আমাদের বার্তা পাবেন। সাহায্যের জন্য HELP, আর বন্ধ করতে STOP বা বন্ধ লিখে পাঠান। বার্তা ও ডেটার খরচ লাগতে পারে।
start-confirmation-discreet = আপনি আবার বার্তা পাবেন। সাহায্যের জন্য HELP, আর বন্ধ করতে STOP বা বন্ধ লিখে পাঠান।
help = { $clinic }: সাহায্যের জন্য { $phone } নম্বরে ফোন করুন। আর বার্তা না পেতে STOP বা বন্ধ লিখে পাঠান। বার্তা ও ডেটার খরচ লাগতে পারে।
help-discreet = সাহায্যের জন্য { $phone } নম্বরে ফোন করুন। আর বার্তা না পেতে STOP বা বন্ধ লিখে পাঠান।

## Answers

reask-yes-no = দুঃখিত, বুঝতে পারিনি। হ্যাঁ বা না লিখে পাঠান।
reask-number = দুঃখিত, বুঝতে পারিনি। শুধু সংখ্যাটি পাঠান, { unit-name } হিসাবে।
reask-number-discreet = দুঃখিত, বুঝতে পারিনি। শুধু সংখ্যাটি পাঠান।
reask-scale = দুঃখিত, বুঝতে পারিনি। { $min } থেকে { $max }-এর মধ্যে একটি সংখ্যা পাঠান।
reask-choice = দুঃখিত, বুঝতে পারিনি। 1 থেকে { $max }-এর মধ্যে একটি সংখ্যা পাঠান।
reask-visit = দুঃখিত, বুঝতে পারিনি। লিখে পাঠান: C আসব, R অন্য সময় চাই, X আসতে পারব না।
answer-thanks = ধন্যবাদ। আপনার উত্তর পেয়েছি।
reading-thanks = ধন্যবাদ। লিখে রেখেছি: { $value } { unit-short }।
reading-thanks-discreet = ধন্যবাদ। আপনার উত্তর পেয়েছি।

## Links

link-invite =
    { $clinic }: টেলিগ্রামে আমাদের বার্তা পেতে এই লিংকটি খুলুন। এটি একবারই কাজ করে।
    { $link }
link-invite-discreet =
    টেলিগ্রামে বার্তা পেতে এই লিংকটি খুলুন। এটি একবারই কাজ করে।
    { $link }
link-welcome = { $clinic }: এখন থেকে আমাদের বার্তা এখানে আসবে। টেলিগ্রাম অন্য একটি কোম্পানি, তারা বার্তা দেখতে পারে। সাহায্যের জন্য HELP, আর না পেতে STOP বা বন্ধ লিখে পাঠান।
link-welcome-discreet = এখন থেকে বার্তা এখানে আসবে। টেলিগ্রাম অন্য একটি কোম্পানি, তারা বার্তা দেখতে পারে। সাহায্যের জন্য HELP, আর না পেতে STOP বা বন্ধ লিখে পাঠান।
link-over = এই লিংক আর কাজ করে না। নতুন একটি চেয়ে নিন, অথবা { $phone } নম্বরে ফোন করুন।

## Buttons

choice-confirm = আসব
choice-reschedule = অন্য সময় চাই
choice-cant-come = আসতে পারব না
choice-yes = হ্যাঁ
choice-no = না
