using Dunlin.Optimizer.Evaluation;
using Dunlin.Runtime.Explaining;

namespace Dunlin.Optimizer.Explanation;

/// <summary>Where a model of any graph looks.</summary>
internal sealed class OcclusionExplainer(EvaluatedModel model, IReadOnlyList<string> labels) : Explainer(model, labels)
{
    public override string Method => "occlusion sensitivity (Zeiler and Fergus 2014)";

    protected override HeatMap HeatOf(float[] tensor, int explained, float probability) =>
        new(Model.Input.Width, Model.Input.Height, Occlusion.Falls(tensor, Model.Input, probability, covered => Probabilities(covered)[explained]));
}
