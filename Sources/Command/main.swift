print("spinweave")
