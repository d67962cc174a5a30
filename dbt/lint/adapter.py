"""dbt's `adapter` for sqlfluff, which renders models without dbt: what dispatches by engine stands for one value."""


def dispatch(_name):
    return lambda *_arguments: "(select 1)"


def quote(name):
    return name
