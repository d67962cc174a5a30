-- One row per employee that the batch brings rows of, and the date from which loaded facts may change version.
-- No measures. Built before dim_employee is cut anew: it reads whom the dimension held until now.
{{ changed_members('employee', 'employees') }}
