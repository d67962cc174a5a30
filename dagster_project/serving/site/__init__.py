"""The warehouse documented as a folder of static pages: metrics, feeds, what leads from one to the other, quality."""
