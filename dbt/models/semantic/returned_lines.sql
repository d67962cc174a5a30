-- Returned lines with the person who gave them back, over all systems.
-- One row per row of fct_return_line; a link made or undone moves rows to another person.
{{ with_people(ref('fct_return_line')) }}
