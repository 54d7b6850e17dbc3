print("spinweave-cache")
