-- The card that an old card was merged into, 0 for none.
alter table account_index_cards add column merged bigint not null default 0;
