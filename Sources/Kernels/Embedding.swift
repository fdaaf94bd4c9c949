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

/// Adds each position's row: x[b·T + t] += table[t].
///
/// - Shapes: `table` [T, D], `output` [B·T, D]
package func addPositions(_ table: Matrix, to output: Matrix) {
  assert(output.rows % table.rows == 0)
  for row in 0..<output.rows {
    addRow(table.row(row % table.rows), times: 1, to: output.row(row), table.columns)
  }
}

/// Adds the row of each text's position, of which there is one.
///
/// - Shapes: `table` [T, D], `output` [M, D]
package func addPositions(_ texts: TextRows, table: Matrix, to output: Matrix) {
  assert(output.rows == texts.count)
  for row in 0..<texts.count {
    addRow(table.row(Int(texts[row].position)), times: 1, to: output.row(row), table.columns)
  }
}

/// The backward pass of `addPositions`: adds each row's gradient to its position's, in the rows'
/// order.
package func addPositionsBackward(_ dOutput: Matrix, dTable: Matrix) {
  for row in 0..<dOutput.rows {
    addRow(dOutput.row(row), times: 1, to: dTable.row(row % dTable.rows), dTable.columns)
  }
}
