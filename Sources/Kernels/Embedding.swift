/// Copies each token's row: x[b·T + t] = table[tokens[b, t]].
///
/// - Shapes: `table` [V, D], `output` [B·T, D]
package func embed(_ tokens: TokenRows, table: Matrix, output: Matrix) {
  assert(output.rows == tokens.rows * tokens.positions)
  tokens.forEach { index, token, _ in
    output.row(index).update(from: table.row(token), count: table.columns)
  }
}

/// Copies the row of each text's token.
///
/// - Shapes: `table` [V, D], `output` [M, D]
package func embed(_ texts: TextRows, table: Matrix, output: Matrix) {
  assert(output.rows == texts.count)
  for row in 0..<texts.count {
    output.row(row).update(from: table.row(Int(texts[row].token)), count: table.columns)
  }
}

/// The backward pass of `embed`: adds each row's gradient to its token's, in the rows' order.
package func embedBackward(_ dOutput: Matrix, tokens: TokenRows, dTable: Matrix) {
  assert(dOutput.rows == tokens.rows * tokens.positions)
  tokens.forEach { index, token, _ in
    addRow(dOutput.row(index), times: 1, to: dTable.row(token), dTable.columns)
  }
}
