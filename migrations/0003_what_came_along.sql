-- What came with a text, or in its place: a picture or a voice note, a part of a longer text, the token of one of our links, a
-- keyword that the provider has answered itself; and what a failed delivery means. Empty: nothing.
ALTER TABLE inbox ADD COLUMN media TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN part_of TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN part_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN part_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN start_token TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN answered TEXT NOT NULL DEFAULT '';      -- stop start help; left: the person blocked us, without a word
ALTER TABLE inbox ADD COLUMN means TEXT NOT NULL DEFAULT '';
