using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training.Execution;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>What a network that is being trained makes of images that it is not trained on, as they are.</summary>
internal static class Answers
{
    public static CheckResult On(PixelSet images, GraphNetwork network, ModelInput input, int batchSize, CancellationToken cancellationToken)
    {
        network.eval();
        using var _ = no_grad();
        var batches = new Batches(images, new Augmentation(images, Augmentations.None, seed: 0), view: 0, batchSize, new Random(0), withRest: true);
        var (loss, right, seen) = (0.0, 0L, 0L);
        for (var step = 0; step < batches.Count; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = batches.Next(input);
            var logits = network.Logits(batch.Pixels).to(ScalarType.Float32);
            loss += nn.functional.cross_entropy(logits, batch.Labels).item<float>() * batch.Indices.Count;
            right += logits.argmax(1).eq(batch.Labels).sum().item<long>();
            seen += batch.Indices.Count;
        }

        return new CheckResult(loss / seen, (double)right / seen);
    }
}
