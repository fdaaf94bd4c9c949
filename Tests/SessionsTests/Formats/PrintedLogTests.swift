import Telemetry
import Testing

@testable import Formats

/// What other people's programs print, and what must be read of it.
@Suite(.timeLimit(.minutes(15))) struct PrintedLogTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    /// The samples of metrics by their names.
    let samples: [MetricName: String]
    /// Names that must not come of it.
    var absent: [MetricName] = []
    /// The decoder that looking at it finds.
    var format = LoggedRun.Format.textLog
  }

  static let cases = [
    Case(
      testDescription: "levels between bars, with loguru's places and without",
      text: """
        2026-11-30 10:00:00.123 | INFO     | __main__:train:42 - train - step 10 - loss 2.50
        2026-11-30 10:00:01.123 | INFO     | __main__:evaluate:50 - val - step 10 - loss 2.75
        2026-11-30 10:00:02 | DEBUG | train - step 20 - loss 2.25
        2026-11-30 10:00:03 | DEBUG | val - step 20 - loss 2.50

        """, samples: ["loss": "10:2.5 20:2.25", "loss/eval": "10:2.75 20:2.5"]),
    Case(
      testDescription: "levels that are words of a message",
      text: """
        WARNING:root:step 10 loss 2.50
        step 20 | loss 2.25 | WARNING: the loss is high
        step 30 | loss 2.00 | DEBUG 1.5
        step 40 | loss 1.75 | WARNING | high

        """, samples: ["loss": "10:2.5 20:2.25 30:2.0 40:1.75"]),
    Case(
      testDescription: "a part of the data where the name of a logger stands",
      text: """
        2026-11-30 12:00:01 INFO train: step 25 | loss 2.50 | lr 1e-3
        2026-11-30 12:00:02 INFO val: step 25 | loss 2.75
        2026-11-30 12:00:03 INFO train: step 50 | loss 2.25 | lr 2e-3
        2026-11-30 12:00:04 INFO val: step 50 | loss 2.50

        """,
      samples: [
        "loss": "25:2.5 50:2.25", "loss/eval": "25:2.75 50:2.5", "lr": "25:0.001 50:0.002",
      ]),
    Case(
      testDescription: "a part of the data in brackets, without a step where it is held out",
      text: """
        [train] step 10 loss 2.50 acc 0.125
        [train] step 20 loss 2.25 acc 0.25
        [val] loss 2.75 acc 0.0625
        [train] step 30 loss 2.00 acc 0.5
        [train] step 40 loss 1.75 acc 0.75
        [val] loss 2.5 acc 0.25

        """,
      samples: [
        "loss": "10:2.5 20:2.25 30:2.0 40:1.75", "loss/eval": "20:2.75 40:2.5",
        "acc": "10:0.125 20:0.25 30:0.5 40:0.75", "val/acc": "20:0.0625 40:0.25",
      ]),
    Case(
      testDescription: "parts before a bar, and another level",
      text: """
        DEBUG:root:TRAIN | step 10 | loss 2.50
        DEBUG:root:TEST | step 10 | loss 2.75
        DEBUG:root:TRAIN | step 20 | loss 2.25
        DEBUG:root:TEST | step 20 | loss 2.50

        """, samples: ["loss": "10:2.5 20:2.25", "test/loss": "10:2.75 20:2.5"]),
    Case(
      testDescription: "an evaluation that names its step without a colon",
      text: """
        step 10 | loss 2.50
        eval step 10 | loss 2.75
        step 20 | loss 2.25
        eval step 20 | loss 2.50

        """, samples: ["loss": "10:2.5 20:2.25", "loss/eval": "10:2.75 20:2.5"]),
    Case(
      testDescription: "the same without a time",
      text: """
        INFO trainer: iter 25/4000 | lm loss 4.5
        INFO trainer: iter 50/4000 | lm loss 4.25

        """, samples: ["loss": "25:4.5 50:4.25"]),
    Case(
      testDescription: "Python's logging with the name of a logger",
      text: """
        [2026-11-30 12:00:01] INFO trainer: iter 25/4000 | lm loss 4.5 | lr 1.5e-05
        [2026-11-30 12:00:02] INFO trainer: iter 50/4000 | lm loss 4.25 | lr 3e-05

        """, samples: ["loss": "25:4.5 50:4.25", "lr": "25:1.5e-05 50:3e-05"]),
    Case(
      testDescription: "YOLO, with what it measures of all classes",
      text: """
              Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
                1/3      2.31G      1.234      2.345      1.345         12        640: 100%|██████████| 8/8 [00:01<00:00,  5.55it/s]
                         Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 4/4 [00:00<00:00,  6.0it/s]
                           all        128        929      0.654      0.543      0.601      0.401
                        person        128        254      0.754      0.643      0.701      0.501
              Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
                2/3      2.33G      1.134      2.145      1.305         13        640: 100%|██████████| 8/8 [00:01<00:00,  5.55it/s]
                         Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|██████████| 4/4 [00:00<00:00,  6.0it/s]
                           all        128        929      0.664      0.553      0.611      0.411

        """,
      samples: [
        "box_loss": "1:1.234 2:1.134", "metrics/precision(B)": "1:0.654 2:0.664",
        "metrics/mAP50-95(B)": "1:0.401 2:0.411",
      ], absent: ["Images", "metrics/Images"]),
    Case(
      testDescription: "Flax's examples, training and held-out data in lines of their own",
      text: """
        I0601 10:00:00.123456 140 train.py:180] train epoch: 1, loss: 0.4567, accuracy: 86.21
        I0601 10:00:10.123456 140 train.py:185] eval epoch: 1, loss: 0.3567, accuracy: 89.21
        I0601 10:00:20.123456 140 train.py:180] train epoch: 2, loss: 0.3567, accuracy: 88.21
        I0601 10:00:30.123456 140 train.py:185] eval epoch: 2, loss: 0.3067, accuracy: 90.21

        """,
      samples: [
        "loss": "1:0.4567 2:0.3567", "loss/eval": "1:0.3567 2:0.3067",
        "accuracy": "1:86.21 2:88.21", "eval/accuracy": "1:89.21 2:90.21",
      ]),
    Case(
      testDescription: "litgpt, iterations and steps in one line",
      text: """
        Epoch 1 | iter 1 step 0 | loss train: 2.512, val: n/a | iter time: 512.34 ms
        Epoch 1 | iter 2 step 1 | loss train: 2.412, val: n/a | iter time: 112.34 ms (step)
        Epoch 1 | iter 3 step 1 | loss train: 2.352, val: n/a | iter time: 112.34 ms
        Epoch 1 | iter 4 step 2 | loss train: 2.312, val: 2.401 | iter time: 112.34 ms (step)
        iter 4: val loss 2.4010, val time: 1234.56 ms

        """,
      samples: [
        "loss": "1:2.512 2:2.412 3:2.352 4:2.312", "loss/eval": "4:2.401",
        "step_ms": "1:512.34 2:112.34 3:112.34 4:112.34",
      ]),
    Case(
      testDescription: "NeMo's bars, which tell the step",
      text: """
        Epoch 0: :   0%|          | 1/1000 [00:12<3:20:01, reduced_train_loss=11.00, global_step=0.000, train_step_timing in s=12.0]
        Epoch 0: :   0%|          | 2/1000 [00:14<1:20:01, reduced_train_loss=10.90, global_step=1.000, train_step_timing in s=2.0]
        Epoch 0: :   0%|          | 3/1000 [00:16<1:00:01, reduced_train_loss=10.70, global_step=2.000, train_step_timing in s=2.0]

        """,
      samples: ["loss": "0:11.0 1:10.9 2:10.7", "step_ms": "0:12000.0 1:2000.0 2:2000.0"],
      absent: ["global_step"]),
    Case(
      testDescription: "Tianshou's bars, which count the environment's steps",
      text: """
        Epoch #1: 10001it [00:10, 950.12it/s, env_step=10000, len=200, loss=0.512, rew=200.00]
        Epoch #2: 10001it [00:10, 950.12it/s, env_step=20000, len=200, loss=0.412, rew=210.00]
        Epoch #3: 10001it [00:10, 950.12it/s, env_step=30000, len=200, loss=0.312, rew=220.00]

        """,
      samples: [
        "loss": "10000:0.512 20000:0.412 30000:0.312",
        "reward": "10000:200.0 20000:210.0 30000:220.0",
      ], absent: ["env_step"]),
    Case(
      testDescription: "a French spreadsheet",
      text: """
        Étape;Perte;Vitesse
        1;2,51;1 234,5
        2;2,41;12\u{202f}345,25
        3;-1.234,5;1\u{a0}234\u{a0}567

        """,
      samples: [
        "Perte": "1:2.51 2:2.41 3:-1234.5", "Vitesse": "1:1234.5 2:12345.25 3:1234567.0",
      ], format: .csv),
    Case(
      testDescription: "RLlib's progress.csv",
      text: """
        episode_reward_mean,timesteps_total,training_iteration,done
        22.3,4000,1,False
        42.1,8000,2,False

        """,
      samples: ["reward": "4000:22.3 8000:42.1", "training_iteration": "4000:1.0 8000:2.0"],
      format: .csv),
    Case(
      testDescription: "OLMo, commas in numbers",
      text: """
        2024-02-01T10:00:00.1Z     olmo:0  INFO    [step=1/739328]
            train/CrossEntropyLoss=11.45
            train/Perplexity=93,901
            throughput/total_tokens=4,194,304
        2024-02-01T10:00:30.1Z     olmo:0  INFO    [step=2/739328]
            train/CrossEntropyLoss=11.21
            throughput/device/tokens_per_second=10,534

        """,
      samples: [
        "loss": "1:11.45 2:11.21", "train/Perplexity": "1:93901.0", "tokens": "1:4194304.0",
        "tokens_per_s": "2:10534.0",
      ]),
    Case(
      testDescription: "Megatron's validation, and counts of what is no number",
      text: """
         [2024-01-01 10:00:00] iteration        1/  500000 | consumed samples:          256 | elapsed time per iteration (ms): 23456.7 | learning rate: 1.5E-07 | lm loss: 1.098765E+01 | grad norm: 15.123 | number of skipped iterations:   0 | number of nan iterations:   0 |
        ---------------------------------------------------------------
         validation loss at iteration 1 | lm loss value: 1.078765E+01 | lm loss PPL: 4.843154E+04 |
        ---------------------------------------------------------------

        """,
      samples: [
        "loss": "1:10.98765", "loss/eval": "1:10.78765", "lm loss PPL": "1:48431.54",
        "number of nan iterations": "1:0.0", "step_ms": "1:23456.7",
      ], absent: ["number of", "iterations", "validation loss at iteration"]),
    Case(
      testDescription: "DeepSpeed, lists and brackets in front",
      text: """
        [2023-04-13 10:11:12,123] [INFO] [logging.py:96:log_dist] [Rank 0] step=10, skipped=0, lr=[9.65e-06, 0.0005], mom=[(0.9, 0.95), (0.9, 0.95)]
        [2023-04-13 10:11:12,124] [INFO] [timer.py:199:stop] epoch=0/micro_step=10/global_step=10, CurrSamplesPerSec=125.6, MemAllocated=4.1GB
        [2023-04-13 10:11:22,123] [INFO] [logging.py:96:log_dist] [Rank 0] step=20, skipped=1, lr=[9.55e-06, 0.0005], mom=[(0.9, 0.95), (0.9, 0.95)]

        """,
      samples: [
        "lr": "10:9.65e-06 20:9.55e-06", "skipped": "10:0.0 20:1.0",
        "CurrSamplesPerSec": "10:125.6",
      ]),
    Case(
      testDescription: "MMEngine, validation shorter than training",
      text: """
        2023/03/01 10:00:00 - mmengine - INFO - Epoch(train)   [1][ 50/500]  lr: 1.0e-02  eta: 0:10:00  time: 0.25  loss: 2.3
        2023/03/01 10:02:13 - mmengine - INFO - Epoch(val)   [1][ 20/100]    eta: 0:00:12  time: 0.15
        2023/03/01 10:02:33 - mmengine - INFO - Epoch(val) [1][100/100]    coco/bbox_mAP: 0.3210  time: 0.14
        2023/03/01 10:03:13 - mmengine - INFO - Epoch(train)   [2][ 50/500]  lr: 1.0e-02  time: 0.25  loss: 1.9

        """,
      samples: ["loss": "50:2.3 550:1.9", "val/coco/bbox_mAP": "500:0.321", "val/time": "500:0.14"]),
    Case(
      testDescription: "fastai's columns",
      text: """
        epoch     train_loss  valid_loss  accuracy  time
        0         0.8125      0.4125      0.8623    00:32
        1         0.5125      0.3125      0.8923    00:31

        """,
      samples: ["loss": "0:0.8125 1:0.5125", "loss/eval": "0:0.4125 1:0.3125"]),
    Case(
      testDescription: "YOLO's columns with a bar behind",
      text: """

              Epoch    GPU_mem   box_loss   cls_loss  Instances       Size
                1/3      2.51G      1.234      2.345         23        640:  50%|█████     | 250/500 [00:05<00:05, 50.00it/s]\r        1/3      2.51G      1.134      2.245         23        640: 100%|██████████| 500/500 [00:10<00:00, 50.00it/s]
                2/3      2.51G      1.034      2.145         20        640: 100%|██████████| 500/500 [00:10<00:00, 50.00it/s]

        """,
      samples: ["box_loss": "1:1.134 2:1.034", "cls_loss": "1:2.245 2:2.145"]),
    Case(
      testDescription: "PyTorch's ImageNet example",
      text: """
        Epoch: [0][  0/5005]\tTime  5.123 ( 5.123)\tData  3.123 ( 3.123)\tLoss 7.0123e+00 (7.0123e+00)\tAcc@1   0.25 (  0.00)
        Epoch: [0][ 10/5005]\tTime  0.423 ( 0.923)\tData  0.123 ( 0.423)\tLoss 6.5000e+00 (6.9623e+00)\tAcc@1   0.50 (  0.10)
        Epoch: [1][  0/5005]\tTime  0.423 ( 0.923)\tData  0.123 ( 0.423)\tLoss 5.5000e+00 (5.9623e+00)\tAcc@1   5.25 (  5.10)

        """,
      samples: ["loss": "0:7.0123 10:6.5 5005:5.5", "Acc@1": "0:0.25 10:0.5 5005:5.25"]),
    Case(
      testDescription: "timm",
      text: """
        Train: 0 [   0/1251 (  0%)]  Loss: 6.95 (6.95)  Time: 4.432s,  231.07/s  (4.432s,  231.07/s)  LR: 1.000e-06  Data: 2.345 (2.345)
        Train: 1 [  50/1251 (  4%)]  Loss: 6.85 (6.90)  Time: 0.432s, 2310.07/s  (0.532s, 1931.07/s)  LR: 2.000e-06  Data: 0.045 (0.105)

        """,
      samples: ["loss": "0:6.95 1301:6.85", "lr": "0:1e-06 1301:2e-06"]),
    Case(
      testDescription: "PyTorch's MNIST example",
      text: """
        Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.305400
        Train Epoch: 1 [640/60000 (1%)]\tLoss: 1.203400
        Train Epoch: 2 [0/60000 (0%)]\tLoss: 0.803400

        """,
      samples: ["loss": "0:2.3054 640:1.2034 60000:0.8034"], absent: ["Train Epoch"]),
    Case(
      testDescription: "steps that begin again with each epoch",
      text: """
        Epoch [1/3], Step [100/600], Loss: 2.5
        Epoch [1/3], Step [600/600], Loss: 2.25
        Epoch [2/3], Step [100/600], Loss: 2.0
        Epoch [3/3], Step [100/600], Loss: 1.5

        """,
      samples: ["loss": "100:2.5 600:2.25 700:2.0 1300:1.5"]),
    Case(
      testDescription: "batches of an epoch",
      text: """
        [Epoch 1/10] [Batch 20/100] loss: 0.5, acc: 81.2%
        [Epoch 1/10] [Batch 40/100] loss: 0.4, acc: 83.2%
        [Epoch 2/10] [Batch 20/100] loss: 0.3, acc: 85.2%

        """,
      samples: ["loss": "20:0.5 40:0.4 120:0.3", "acc": "20:81.2 40:83.2 120:85.2"]),
    Case(
      testDescription: "CleanRL, an array of one",
      text: """
        global_step=1024, episodic_return=[21.]
        global_step=2048, episodic_return=[31.5]
        SPS: 1234

        """,
      samples: ["reward": "1024:21.0 2048:31.5"]),
    Case(
      testDescription: "arrows",
      text: """
        epoch 1 -> loss 0.5 | val_loss 0.6
        epoch 2 -> loss 0.4 | val_loss 0.55

        """,
      samples: ["loss": "1:0.5 2:0.4", "loss/eval": "1:0.6 2:0.55"], absent: ["-> loss"]),
    Case(
      testDescription: "XGBoost and LightGBM",
      text: """
        [0]\tvalid-logloss:0.625\teval-logloss:0.75
        [10]\tvalid-logloss:0.5\teval-logloss:0.625
        [20]\ttraining's binary_logloss: 0.45\tvalid_1's binary_logloss: 0.48

        """,
      samples: ["valid-logloss": "0:0.625 10:0.5", "valid_1's binary_logloss": "20:0.48"]),
    Case(
      testDescription: "values behind bars of tqdm",
      text: "Epoch 0:  50%|#####     | 50/100 [00:10<00:10,  5.00it/s, loss=2.5, v_num=3]\r"
        + "Epoch 0: 100%|##########| 100/100 [00:20<00:00,  5.00it/s, loss=2.25, v_num=3]\n"
        + "Epoch 1: 100%|##########| 100/100 [00:20<00:00,  5.00it/s, loss=1.5, v_num=3]\n",
      samples: ["loss": "50:2.5 100:2.25 200:1.5"], absent: ["v_num"]),
    Case(
      testDescription: "a dictionary behind a bar",
      text: """
          1%|          | 1/100 [00:10<16:30, 10.0s/it]{'loss': 1.25, 'learning_rate': 2e-05, 'epoch': 0.02}
          2%|2         | 2/100 [00:20<16:20, 10.0s/it]{'loss': 1.125, 'learning_rate': 2e-05, 'epoch': 0.03}

        """,
      samples: ["loss": "0:1.25 1:1.125"]),
    Case(
      testDescription: "totals that tell no step",
      text: """
        01/01/2024 10:00:00 - INFO - __main__ -   Total optimization steps = 300
        Steps:   3%|3         | 10/300 [00:10<05:00,  1.03s/it, lr=1e-5, step_loss=0.25]
        Steps:   4%|4         | 11/300 [00:11<05:00,  1.03s/it, lr=1e-5, step_loss=0.125]
        Steps:   4%|4         | 12/300 [00:12<05:00,  1.03s/it, lr=1e-5, step_loss=0.5]

        """,
      samples: ["step_loss": "10:0.25 11:0.125 12:0.5"]),
    Case(
      testDescription: "Google's loggers",
      text: """
        I0101 10:00:00.123456 140000 train.py:123] [10] learning_rate=0.001, loss=2.5
        I0101 10:00:10.123456 140000 train.py:123] [20] learning_rate=0.001, loss=2.25

        """,
      samples: ["loss": "10:2.5 20:2.25", "lr": "10:0.001 20:0.001"]),
    Case(
      testDescription: "NeMo, which has two counts",
      text: """
        Training epoch 0, iteration 98/99 | lr: 1e-06 | global_step: 98 | reduced_train_loss: 11.5
        Training epoch 1, iteration 0/99 | lr: 2e-06 | global_step: 100 | reduced_train_loss: 11.25

        """,
      samples: ["loss": "98:11.5 100:11.25"]),
    Case(
      testDescription: "fairseq",
      text: """
        2021-01-01 10:00:00 | INFO | train_inner | {"epoch": 1, "loss": "12.345", "gnorm": "5.125", "num_updates": "100"}
        2021-01-01 10:01:00 | INFO | train_inner | {"epoch": 1, "loss": "11.345", "gnorm": "4.125", "num_updates": "200"}

        """,
      samples: ["loss": "100:12.345 200:11.345", "grad_norm": "100:5.125 200:4.125"]),
    Case(
      testDescription: "places at the beginning of lines",
      text: """
        [00000/00600] train_loss: 5.5 | gnorm: 1.25 | tok/s: 51,336
        [00100/00600] train_loss: 5.25 | gnorm: 1.5 | tok/s: 51,289
          >> eval @ step 100: val_loss=5.75 acc=0.5
        [00200/00600] train_loss: 5.0 | gnorm: 1.75 | tok/s: 50,631

        """,
      samples: [
        "loss": "0:5.5 100:5.25 200:5.0", "loss/eval": "100:5.75", "eval/acc": "100:0.5",
        "tokens_per_s": "0:51336.0 100:51289.0 200:50631.0",
      ]),
    Case(
      testDescription: "places in round brackets behind a time, told once",
      text: "2024-01-01 10:00:00 (420/600) loss 2.5 acc 0.5\n",
      samples: ["loss": "420:2.5", "acc": "420:0.5"]),
    Case(
      testDescription: "places without brackets, and those of validation between them",
      text: """
        10/100: loss=2.5
        20/100: loss=2.25
        5/20: val_loss=2.75
        30/100: loss=2.0

        """,
      samples: ["loss": "10:2.5 20:2.25 30:2.0"], absent: ["5/20"]),
    Case(
      testDescription: "batches that begin again, with no epoch told",
      text: """
        === Epoch 1 ===
        Batch 250/500 - loss: 2.5
        Batch 500/500 - loss: 2.25
        === Epoch 2 ===
        Batch 250/500 - loss: 2.0
        Batch 500/500 - loss: 1.75

        """,
      samples: ["loss": "250:2.5 500:2.25 750:2.0 1000:1.75"]),
    Case(
      testDescription: "steps with a total that begin again",
      text: """
        Step 50/100, loss: 2.5
        Step 100/100, loss: 2.25
        Step 50/100, loss: 2.0

        """,
      samples: ["loss": "50:2.5 100:2.25 150:2.0"]),
    Case(
      testDescription: "steps with a total that were taken up again",
      text: """
        [50/100] loss: 2.5
        [60/100] loss: 2.25
        [55/100] loss: 2.0
        [60/100] loss: 1.75

        """,
      samples: ["loss": "50:2.5 60:2.25 | 55:2.0 60:1.75"]),
    Case(
      testDescription: "a process's place, which is no step",
      text: """
        [0/4] loss: 2.5
        [0/4] loss: 2.25
        [0/4] loss: 2.0
        [0/4] loss: 1.75

        """,
      samples: ["loss": "0:2.5 1:2.25 2:2.0 3:1.75"]),
    Case(
      testDescription: "dates and fractions that tell no step",
      text: """
        01/02 10:11:12 loss: 2.5
        01/03 10:11:13 loss: 2.25
        01/04 10:11:14 loss: 2.0
        3/8 GiB used
        4/8 GiB used

        """,
      samples: ["loss": "0:2.5 1:2.25 2:2.0"]),
    Case(
      testDescription: "steps of a total in words",
      text: """
        step 10 of 100: loss 2.5
        step 20 of 100: loss 2.25

        """,
      samples: ["loss": "10:2.5 20:2.25"], absent: ["of"]),
    Case(
      testDescription: "places behind brackets of their own",
      text: """
        [Train] 10/100 loss: 2.5
        (20%) 20/100 loss: 2.25
        [ 30 / 100 ] loss 2.0

        """,
      samples: ["loss": "10:2.5 20:2.25 30:2.0"]),
    Case(
      testDescription: "W&B's download of two runs",
      text: """
        "Step","sun-3 - loss","sun-3 - loss__MIN","sun-3 - loss__MAX","sea-4 - loss","sea-4 - loss__MIN","sea-4 - loss__MAX"
        "0","2.5","2.5","2.5","2.75","2.75","2.75"
        "10","2.25","2.25","2.25","","",""

        """,
      samples: [
        "loss/sun-3": "0:2.5 10:2.25", "loss/sea-4": "0:2.75", "loss/min/sea-4": "0:2.75",
      ], format: .csv),
    Case(
      testDescription: "names with a hyphen that are no download's",
      text: "step,loss - train,loss - val\n0,2.5,2.75\n10,2.25,2.5\n",
      samples: ["loss": "0:2.5 10:2.25", "loss/eval": "0:2.75 10:2.5"], format: .csv),
    Case(
      testDescription: "rows of JSON in a list",
      text: "[{\"step\": 1, \"loss\": 2.5},\n {\"step\": 2, \"loss\": 2.25}]\n",
      samples: ["loss": "1:2.5 2:2.25"], format: .trainerState),
    Case(
      testDescription: "a list a metric",
      text: "{\"loss\": [2.5, 2.25, 2.0], \"val_loss\": [2.6, 2.4]}\n",
      samples: ["loss": "0:2.5 1:2.25 2:2.0", "loss/eval": "0:2.6 1:2.4"], format: .jsonLines),
    Case(
      testDescription: "padded columns",
      text: "      epoch,   train/box_loss,   lr/pg0\n          1,           1.5,   0.25\n"
        + "          2,          1.25,  0.125\n",
      samples: ["train/box_loss": "1:1.5 2:1.25", "lr": "1:0.25 2:0.125"], format: .csv),
    Case(
      testDescription: "losses in words",
      text: "Step,train loss,Validation Loss,learning rate\n1,2.5,2.75,0.5\n2,2.25,2.5,0.25\n",
      samples: ["loss": "1:2.5 2:2.25", "loss/eval": "1:2.75 2:2.5", "lr": "1:0.5 2:0.25"],
      format: .csv),
  ]

  @Test(arguments: cases)
  func `what is printed is read`(log: Case) throws {
    let bytes = Array(log.text.utf8)
    #expect(LogFormat.of(bytes, isWhole: true) == log.format)
    let run = LoggedRun(format: log.format, paths: ["a.log"], name: "a")
    let read = try Decoding.run(run.decoder(of: "a.log"), bytes)
    for (name, samples) in log.samples { #expect(read.samples(name) == samples, "\(name)") }
    for name in log.absent { #expect(!read.names.contains(name), "\(name)") }
  }

  @Test func `a file that is packed is told, with what unpacks it`() throws {
    let packer = try #require(LogFormat.packer([0x1f, 0x8b, 8, 0]))
    let error = FormatError.packed(path: "a b.gz", by: packer.tool, unpack: packer.unpack)
    #expect(
      error.description == "a b.gz is packed by gzip: unpack it first: gunzip -k 'a b.gz'")
    #expect(LogFormat.packer(Array("step,loss\n".utf8)) == nil)
  }

  @Test func `an object with a type makes no metric, and one line`() throws {
    let lines = [0, 1].map {
      "{\"step\":\($0),\"loss\":2.5,\"x\":{\"img\":{\"_type\":\"image-file\",\"size\":3,\"w\":4}}}\n"
    }
    let run = try Decoding.run(JSONLinesDecoder(), Array(lines.joined().utf8))
    #expect(run.names == ["loss"])
    #expect(run.console == ["x/img is a image-file: not shown"])
  }

  @Test func `names differ by what parts their words, and a person has some of their own`() {
    let aliases = MetricAliases(own: ["my/score": "loss", "val/loss": "x"])
    #expect(aliases.of("My Score")?.ours == "loss")
    #expect(aliases.of("val_loss")?.ours == "x")
    #expect(MetricAliases.usual.of("Train/Loss")?.ours == "loss")
    #expect(MetricAliases.usual.of("optim/total grad norm")?.ours == "grad_norm")
    #expect(MetricAliases.usual.of("Loss")?.ours == "loss")
    #expect(MetricAliases.usual.of("loss") == nil && MetricAliases.usual.of("loss/eval") == nil)
    #expect(MetricAliases.none.of("Train/Loss") == nil)
  }
}
