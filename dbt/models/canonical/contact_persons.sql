-- Changes of the people to talk to at an organisation.
-- One row per landed change; key: contact_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('contact_persons') }}
