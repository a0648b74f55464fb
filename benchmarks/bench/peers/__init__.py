"""Other tools that change the key under which something is encrypted, each as its own users run it and in the best form
we could write. Nothing here imports a peer's library before the process that measures it."""
