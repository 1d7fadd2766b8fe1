"""Pre-trade risk: pure rules over a plan, one small file per family; `judge` composes them."""
