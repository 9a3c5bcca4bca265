"""The kinds of stage a recipe is made of; each turns the tables of the stage before it into its own."""
