-- Customers who left, with the person over all systems.
-- One row per row of fct_churn_event; a link made or undone moves rows to another person.
{{ with_people(ref('fct_churn_event')) }}
