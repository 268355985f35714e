"""The requests of the API, a module for each subject.

Each calls actions that the pages of the desk call as well. How to add one:
docs/how-to/add-an-api-resource.md.
"""
