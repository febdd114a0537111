print("tiketi")
