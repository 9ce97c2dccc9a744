### Messages of the protocols: English (en).
### Status: draft (machine), not reviewed by a clinician.
###
### The letters C, R and X are the same in every language. Never offer CANCEL, END, QUIT or YES as an answer
### about a visit: carriers read them as a wish to stop or to start. Reminders and questions fit one GSM-7 or two UCS-2 parts.
###
### .options are the answers in words, in the order of the numbers: a slash stands between the options, a bar between
### the wordings of one. The messages show one of the wordings.

## Visits

visit-reminder = { $clinic }: a time is reserved for you: { $when }. Reply C to confirm, R for another time, X if you can't come.
visit-reminder-discreet = A time is reserved for you: { $when }. Reply C to confirm, R for another time, X if you can't come.
visit-confirmed = Thank you. Your time is { $when }.
visit-reschedule = Thank you. A person will offer you another time { by-when }.
visit-cant-come = Thank you for telling us. A person will contact you { by-when }.
visit-follow-why = What makes it hard to come? You can answer in your own words.

## Readings

weight-question = Hello { $name }. What is your weight today in { unit-name }? Reply with the number only.
weight-question-discreet = What is today's number? Reply with the number only.

## Goals

goal-question = { $name }, how did it go with your goal: { $goal }? Reply 1 yes, 2 partly, 3 not yet.
    .options = yes|done|did it / partly|some of it|a little / not yet|no
goal-question-discreet = How did it go this week? You can reply: yes, partly or not yet.
goal-why = What got in the way? You can answer in your own words.
goal-keep = Would you like to keep it for next week? Reply yes or no.
goal-noted = Thank you. We have noted it.
goal-well-done = Well done! Thank you for telling us.

## How the patient is

wellbeing-question = Hello { $name }. How do you feel today? Reply 1 well, 2 so-so, 3 unwell.
    .options = well|good|fine|ok / so-so|so so|not great / unwell|not well|bad|sick
wellbeing-question-discreet = Hello. How are things today? You can reply: well, so-so or not well.
