"""The letters desk: five patterns, three of them inside of others, answer a letter with several questions."""
