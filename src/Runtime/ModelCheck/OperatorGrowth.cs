namespace Dunlin.Runtime.ModelCheck;

/// <summary>
/// How many copies of its sources a value may hold, counted along the graph. It stops the plain memory bomb, a chain of
/// concatenations that each double a tensor; sizes that hide in the contents of tensors are left to the limits of the
/// heat process that loads and runs the model.
/// </summary>
internal static class OperatorGrowth
{
    /// <param name="operation">The operator, without its domain.</param>
    /// <param name="sum">Of the growths of its inputs.</param>
    /// <param name="largest">Of the growths of its inputs.</param>
    public static double Of(string operation, double sum, double largest) => operation switch
    {
        "Concat" or "QLinearConcat" => sum,
        // Their outputs are as large as weights or reductions say.
        "Conv" or "ConvInteger" or "QLinearConv" or "FusedConv" or "Gemm" or "QGemm" or "MatMul" or "MatMulInteger" or "QLinearMatMul" or "FusedMatMul"
            or "GlobalAveragePool" or "QLinearGlobalAveragePool" or "GlobalMaxPool" or "ReduceMean" or "ReduceSum" or "ReduceMax" or "Shape" => 1,
        // A part of its input; two parts put together again, as in shifted windows, are no growth.
        "Slice" or "Split" or "Gather" => Math.Max(1, largest / 2),
        _ => largest,
    };
}
