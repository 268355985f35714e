"""How the service is: one reading of the database, and what is made of it.

`queries` reads the database; `service_state` puts a reading together, for `/metrics` (`metrics`),
for `/readyz` (`readiness`) and for `morefollows status`. Nothing here holds an address of a reader.
"""
