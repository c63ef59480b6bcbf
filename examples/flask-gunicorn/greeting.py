TEXT = "Hello, this is release one"
