-- Answers to survey questions.
-- One row per landed version of an event; key: response_id, question_id.
-- Generated from sources/contract.yml by `python -m dagster_project.contract`.
{{ united('surveys') }}
