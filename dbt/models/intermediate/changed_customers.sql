-- One row per customer that the batch brings rows of, and the date from which loaded facts may change version.
-- No measures. Built before dim_customer is cut anew: it reads whom the dimension held until now.
{{ changed_members('customer', 'customers') }}
