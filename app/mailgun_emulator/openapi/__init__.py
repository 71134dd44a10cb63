"""What is served, told from the routes: the OpenAPI document and the page of what is covered."""
