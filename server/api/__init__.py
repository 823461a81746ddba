"""The doors: each module makes one router. They know the rooms behind them, never each other."""
