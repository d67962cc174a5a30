-- Order lines with the person who bought, over all systems.
-- One row per row of fct_sales_line; a link made or undone moves rows to another person.
{{ with_people(ref('fct_sales_line')) }}
