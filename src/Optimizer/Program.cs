using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Training;
TorchLibrary.Load();
TorchSharp.torch.set_num_threads(int.Parse(args[3]));
var images = FashionMnist.ReadTraining(FashionMnist.DebianFolder);
var spec = new ResidualSpec(ResidualSpec.ParseWidths(args[0]), 1, 2, 10);
var options = new TrainingOptions { Spec = spec, EpochCount = int.Parse(args[1]) };
var t = new Trainer(images, options, FashionMnist.PixelMean, 1 / FashionMnist.PixelDeviation)
{ CheckpointPath = args[2], EpochDone = e => Console.WriteLine($"{e} cpu {System.Diagnostics.Process.GetCurrentProcess().TotalProcessorTime}") };
new Checkpoint("final", options.EpochCount, t.Run("none", default), new Weights()).Save(args[2] + ".final");
return 0;
