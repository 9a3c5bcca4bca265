"""The pages of the generated web by what shall become of them: good ones, bad ones, copies."""
