"""Direct delivery to real mail servers, in network namespaces: `make providers`."""
