"""The screens: each asks one service one question and shows the answer."""
