using System.Security.Cryptography;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Enrolment;

/// <summary>
/// The operator's own certificate (ECDSA P-256) in the key folder. It is self-signed: the broker's listener for operators trusts
/// a list of such certificates instead of an authority, so that no device gets in there.
/// </summary>
internal static class OperatorCertificate
{
    public const string CertificateFile = "operator.pem", KeyFile = "operator-key.pem";

    /// <summary>Where the broker listens for operators unless another port was named.</summary>
    public const int DefaultPort = 8884;

    /// <summary>The certificate as PEM, made where there is none.</summary>
    public static string OpenOrCreate(string folder, DateTimeOffset now, TimeSpan validity)
    {
        var path = Path.Combine(folder, CertificateFile);
        if (!File.Exists(Path.Combine(folder, KeyFile)))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var certificate = CertificateAuthority.Request(AccessList.OperatorName, key, CertificateAuthority.ClientUse).CreateSelfSigned(now.AddDays(-1), now + validity);
            // The key last: where it is, the certificate is its own.
            File.WriteAllText(path, certificate.ExportCertificatePem() + "\n");
            OwnerFile.Create(Path.Combine(folder, KeyFile), key.ExportPkcs8PrivateKeyPem() + "\n");
        }

        return File.ReadAllText(path);
    }
}
