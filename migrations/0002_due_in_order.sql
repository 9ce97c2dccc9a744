-- At nine o'clock a thousand timers are due in the same instant: taken in the order of the index, not sorted for each batch.
DROP INDEX timer_due;
CREATE INDEX timer_due ON timer (due_at, priority, id);
