-- Which cards point to a card: asked under the lock when a card gets another holder.
create index account_index_cards_merged on account_index_cards (merged) where merged > 0;
