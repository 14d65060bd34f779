using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Training.Execution;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// Importance by what the loss would change, to the first order, if a channel were zero (Molchanov et al. 2017 and 2019): activation times
/// gradient, summed over all that read the channel. For whoever reads it that sum is weight times the weight's gradient, so that no activation
/// need be kept. Squared per batch and added up; scores of all groups are changes of one loss, and compared as they are.
/// </summary>
internal static class TaylorImportance
{
    private const int LargestBatch = 32;

    /// <param name="dependencies">Of the graph that is to be pruned.</param>
    /// <param name="images">Training images; each is looked at once.</param>
    /// <param name="cancellationToken">Checked before each batch.</param>
    public static Importance Measure(ChannelDependencies dependencies, PixelSet images, CancellationToken cancellationToken)
    {
        TorchLibrary.Load();
        using var network = new GraphNetwork(dependencies.Graph);
        network.eval();
        var readers = Readers(dependencies, network);
        var scores = new Dictionary<int, double>();
        var batches = new Batches(
            images, new Augmentation(images, Augmentations.None, seed: 1), view: 0, ActivationMemory.BatchSize(dependencies.Graph, LargestBatch), new Random(1), withRest: true);
        for (var step = 0; step < batches.Count; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = batches.Next(dependencies.Graph.Input);
            nn.functional.cross_entropy(network.Logits(batch.Pixels), batch.Labels).backward();
            foreach (var (unit, change) in Changes(dependencies.Units, readers, network)) scores[unit] = scores.GetValueOrDefault(unit) + change * change;
            network.zero_grad();
        }

        return group => [.. group.Units.Select(unit => scores.GetValueOrDefault(dependencies.Units.UnitOf(unit)))];
    }

    // Axes of weights along which a layer reads channels.
    private static List<WeightSlice> Readers(ChannelDependencies dependencies, GraphNetwork network)
    {
        var written = dependencies.Producers.Select(p => (p.Weights, p.Axis)).ToHashSet();
        return [.. dependencies.WeightSlices.Where(s => network.LayerWeights.Contains(s.Tensor.Name) && network.Weights.ContainsKey(s.Tensor.Name) && !written.Contains((s.Tensor.Name, s.Axis)))];
    }

    private static Dictionary<int, double> Changes(ChannelUnits units, List<WeightSlice> readers, GraphNetwork network)
    {
        var changes = new Dictionary<int, double>();
        foreach (var slice in readers)
        {
            var weight = network.Weights[slice.Tensor.Name];
            if (weight.grad is not { } gradient) continue;
            long[] others = [.. Enumerable.Range(0, (int)weight.dim()).Where(axis => axis != slice.Axis).Select(axis => (long)axis)];
            var places = weight.detach().mul(gradient).sum(others).data<float>().ToArray();
            for (var i = 0; i < places.Length; i++)
            {
                var unit = units.UnitOf(slice.Labels[i]);
                changes[unit] = changes.GetValueOrDefault(unit) + places[i];
            }
        }

        return changes;
    }
}
