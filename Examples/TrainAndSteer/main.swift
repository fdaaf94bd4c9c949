// Trains a small model, reads its records and steers it: `swift run TrainAndSteer`.
import Seismo

let run = try Run(options: ["preset": "tiny", "steps": "200"])
let records = run.records()
run.start()
for await case .samples(let samples) in records where samples.step % 50 == 0 {
  print("step \(samples.step): loss \(samples["loss"] ?? .nan)")
  if samples.step == 100 { print(try await run.send("set z_loss 1e-4").text) }
}
print("\(try await run.end().outcome), recorded in \(run.session)")
