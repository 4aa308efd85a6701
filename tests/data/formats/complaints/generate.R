# Writes the R files of this folder, in it; needs Matrix.
library(Matrix)

counts <- function(first) {
  values <- outer(0:11, first + 0:29, function(gene, cell) (gene * 7 + cell * 3) %% 5)
  barcodes <- sprintf("ATGCATGCATGC%02d-1", first + 0:29)
  as(matrix(values, 12, dimnames = list(sprintf("GENE%d", 0:11), barcodes)), "CsparseMatrix")
}
saveRDS(list(control = counts(0), stimulated = counts(30)), "list_of_samples.rds")
cat(R.version.string, "Matrix", as.character(packageVersion("Matrix")), "\n")
