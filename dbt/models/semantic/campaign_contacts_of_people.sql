-- Campaign contacts with the person, over all systems.
-- One row per row of fct_campaign_contact; a link made or undone moves rows to another person.
{{ with_people(ref('fct_campaign_contact')) }}
